//! Settings: what an operator writes in `config/qunguan.toml`.
