//! A service acts for a user (MS-SFU): S4U2Self by a call of its own, S4U2Proxy by contexts that are initiated with
//! what it gave.

use std::sync::Arc;

use orthros_gss::{Error, InitiatorCredential, Name};
use orthros_krb5::exchange::Progress;

use crate::Orthros;

impl Orthros {
    /// A credential by which a service acts for `user`, who need not be there (S4U2Self; the C library's
    /// `gss_acquire_cred_impersonate_name`). With it the service initiates contexts as the user: to itself, and to
    /// those to whom the KDC allows it to be its users (S4U2Proxy). Waits for KDCs.
    ///
    /// Whoever can do this can be anybody to the service. The service decides whom to believe in another way, such as
    /// a certificate or a single sign-on of the web.
    ///
    /// ```
    /// use orthros::Name;
    /// use orthros_kdc::{Impersonation, Listener, Realm};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let realm = Realm::builder("TEST").principal("alice", "pw").principal("HTTP/web", "secret").service("db/x");
    /// let realm = realm.impersonates("HTTP/web", Impersonation::Forwardable).delegates_to("HTTP/web", "db/x");
    /// let kdc = Listener::start(realm.build(&orthros::random::SystemRandom)?)?;
    /// # let config = orthros::Config::for_realm("TEST", &[&kdc.address().to_string()])?;
    /// # let orthros = orthros::Orthros::builder().config(config).build();
    /// let web = orthros.acquire("HTTP/web").password("secret").forwardable(true).blocking()?;
    /// let alice = orthros.impersonate(&web, &Name::user("alice"))?;
    /// assert_eq!(alice.client().to_string(), "alice@TEST");
    /// assert_eq!(alice.impersonator(), Some(web.client()));
    /// let ticket = orthros.service_ticket(&alice, &"db/x@TEST".parse()?)?; // as a context to it would get it
    /// assert_eq!(ticket.client, *alice.client());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Credential`] if the service has no ticket-granting ticket; [`Error::Kdc`] tells which flag the KDC's
    /// database lacks; [`Error::Name`].
    pub fn impersonate(
        &self,
        service: &Arc<InitiatorCredential>,
        user: &Name,
    ) -> Result<Arc<InitiatorCredential>, Error> {
        self.exchange(self.impersonation(service, user)?)
    }

    /// The exchange of [`impersonate`](Self::impersonate), not yet begun.
    pub(crate) fn impersonation(
        &self,
        service: &Arc<InitiatorCredential>,
        user: &Name,
    ) -> Result<Progress<Arc<InitiatorCredential>>, Error> {
        let home = service.client().realm();
        let user = self.resolve_name(user)?.to_principal(self.config(), Some(home))?;
        Ok(service.impersonate(user, self.ticket_policy(service), self.env())?)
    }
}
