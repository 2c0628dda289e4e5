//! Pages an operator opens in the browser.
