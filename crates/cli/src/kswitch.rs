//! `kswitch`: which cache of a `DIR` cache's folder is the one in use.

use orthros::{Orthros, Principal};

use crate::arguments::Kswitch;
use crate::failure::{Ending, Failure};

pub(crate) fn run(wanted: &Kswitch) -> Result<Ending, Failure> {
    let orthros = Orthros::from_system()?;
    let cache = match (&wanted.cache, &wanted.principal) {
        (Some(cache), _) => cache.clone(),
        (None, named) => {
            let named = named.as_deref().unwrap_or_default();
            let client = Principal::parse(named, orthros.config().default_realm.as_deref())?;
            orthros.cache_for(&client)?.ok_or_else(|| {
                Failure::new(format!("there is no cache of {client} beside {}", orthros.default_cache()))
                    .hint("orthros klist -l names those that there are")
            })?
        }
    };
    orthros.switch_cache(&cache)?;
    Ok(Ending::Success)
}
