//! `kdestroy`: wipes credential caches and takes them away.

use orthros::{Orthros, Principal};

use crate::arguments::Kdestroy;
use crate::failure::{Ending, Failure};

pub(crate) fn run(wanted: &Kdestroy) -> Result<Ending, Failure> {
    let orthros = Orthros::from_system()?;
    if wanted.all {
        orthros.destroy_caches()?;
        return Ok(Ending::Success);
    }
    let cache = match (&wanted.cache, &wanted.principal) {
        (Some(cache), _) => cache.clone(),
        (None, None) => orthros.default_cache().clone(),
        (None, Some(named)) => {
            let client = Principal::parse(named, orthros.config().default_realm.as_deref())?;
            let found = orthros.cache_for(&client)?;
            found.ok_or_else(|| Failure::new(format!("there is no cache of {client}")))?
        }
    };
    if orthros.destroy_cache(&cache)? {
        Ok(Ending::Success)
    } else {
        Err(Failure::new(format!("{cache}: there is no such credential cache")))
    }
}
