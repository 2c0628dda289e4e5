//! A WeCom that runs on this machine: API, callbacks, archive, clients' chat page, fault switches.
