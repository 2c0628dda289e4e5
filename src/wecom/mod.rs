//! WeCom's protocols, no policy: crypto, callbacks, API client, cards, archive, bot socket.
