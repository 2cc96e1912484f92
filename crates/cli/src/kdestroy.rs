//! `kdestroy`: wipes a credential cache and takes it away.

use orthros::Orthros;

use crate::arguments::Kdestroy;
use crate::failure::{Ending, Failure};

pub(crate) fn run(wanted: &Kdestroy) -> Result<Ending, Failure> {
    let orthros = Orthros::from_system()?;
    let cache = wanted.cache.as_ref().unwrap_or_else(|| orthros.default_cache());
    if orthros.destroy_cache(cache)? {
        Ok(Ending::Success)
    } else {
        Err(Failure::new(format!("{cache}: there is no such credential cache")))
    }
}
