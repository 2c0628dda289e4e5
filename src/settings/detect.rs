//! `[detect]`: what the company knows about itself, so that its own talk is not taken for a violation.

use serde::Deserialize;

/// What is the company's own.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Detect {
    /// Domains whose links are fine, subdomains included: `example.com`.
    pub allow_domains: Vec<String>,
    /// Own brand and product names; hits inside them don't count.
    pub brands: Vec<String>,
    /// Other companies' brands; naming them in an advert is cross promotion.
    pub competitors: Vec<String>,
    /// Names of the staff; hits inside them don't count, and imitating one is a finding.
    pub staff_names: Vec<String>,
    /// The company's own phone numbers: posting them leaks nothing.
    pub own_numbers: Vec<String>,
    /// Wordlists not to use, by path without `.txt`: `ads/contact`.
    pub skip_wordlists: Vec<String>,
}
