//! Which field of ours is which of theirs.

use orthros_krb5::wire;
use rasn_kerberos as theirs;

use super::dice::{Dice, Roll, Same};

macro_rules! tables {
    ($($ours:ty => $theirs:ident { $($field:ident = $their_field:ident),* $(,)? })*) => { $(
        impl Roll for theirs::$theirs {
            fn roll(dice: &mut Dice<'_>) -> Self {
                Self { $($their_field: Roll::roll(dice),)* }
            }
        }

        impl Same<theirs::$theirs> for $ours {
            fn same(&self) -> theirs::$theirs {
                theirs::$theirs { $($their_field: self.$field.same(),)* }
            }
        }
    )* };
}

tables! {
    wire::PrincipalName<'_> => PrincipalName { name_type = r#type, components = string }
    wire::HostAddress<'_> => HostAddress { addr_type = addr_type, address = address }
    wire::AuthorizationElement<'_> => AuthorizationDataValue { ad_type = r#type, ad_data = data }
    wire::AdKdcIssued<'_> => AdKdcIssued {
        ad_checksum = ad_checksum, i_realm = realm, i_sname = sname, elements = elements,
    }
    wire::AdAndOr<'_> => AdAndOr { condition_count = condition_count, elements = elements }
    wire::TypedData<'_> => TypedDataItem { data_type = r#type, data_value = value }
    wire::EncryptedData<'_> => EncryptedData { etype = etype, kvno = kvno, cipher = cipher }
    wire::EncryptionKey<'_> => EncryptionKey { keytype = r#type, keyvalue = value }
    wire::Checksum<'_> => Checksum { cksumtype = r#type, checksum = checksum }
    wire::PaData<'_> => PaData { padata_type = r#type, padata_value = value }
    wire::PaEncTsEnc => PaEncTsEnc { patimestamp = patimestamp, pausec = pausec }
    wire::EtypeInfoEntry<'_> => EtypeInfoEntry { etype = etype, salt = salt }
    wire::EtypeInfo2Entry<'_> => EtypeInfo2Entry { etype = etype, salt = salt, s2kparams = s2kparams }
    wire::Ticket<'_> => Ticket { tkt_vno = tkt_vno, realm = realm, sname = sname, enc_part = enc_part }
    wire::TransitedEncoding<'_> => TransitedEncoding { tr_type = r#type, contents = contents }
    wire::EncTicketPart<'_> => EncTicketPart {
        flags = flags, key = key, crealm = crealm, cname = cname, transited = transited, authtime = auth_time,
        starttime = start_time, endtime = end_time, renew_till = renew_till, caddr = caddr,
        authorization_data = authorization_data,
    }
    wire::Authenticator<'_> => Authenticator {
        authenticator_vno = authenticator_vno, crealm = crealm, cname = cname, cksum = cksum, cusec = cusec,
        ctime = ctime, subkey = subkey, seq_number = seq_number, authorization_data = authorization_data,
    }
    wire::ApReq<'_> => ApReq {
        pvno = pvno, msg_type = msg_type, ap_options = ap_options, ticket = ticket, authenticator = authenticator,
    }
    wire::ApRep<'_> => ApRep { pvno = pvno, msg_type = msg_type, enc_part = enc_part }
    wire::EncApRepPart<'_> => EncApRepPart {
        ctime = ctime, cusec = cusec, subkey = subkey, seq_number = seq_number,
    }
    wire::KdcReqBody<'_> => KdcReqBody {
        kdc_options = kdc_options, cname = cname, realm = realm, sname = sname, from = from, till = till,
        rtime = rtime, nonce = nonce, etype = etype, addresses = addresses,
        enc_authorization_data = enc_authorization_data, additional_tickets = additional_tickets,
    }
    wire::KdcReq<'_> => KdcReq { pvno = pvno, msg_type = msg_type, padata = padata, req_body = req_body }
    wire::KdcRep<'_> => KdcRep {
        pvno = pvno, msg_type = msg_type, padata = padata, crealm = crealm, cname = cname, ticket = ticket,
        enc_part = enc_part,
    }
    wire::LastReq => LastReqValue { lr_type = r#type, lr_value = value }
    wire::EncKdcRepPart<'_> => EncKdcRepPart {
        key = key, last_req = last_req, nonce = nonce, key_expiration = key_expiration, flags = flags,
        authtime = auth_time, starttime = start_time, endtime = end_time, renew_till = renew_till,
        srealm = srealm, sname = sname, caddr = caddr, encrypted_pa_data = encrypted_pa_data,
    }
    wire::KrbSafeBody<'_> => KrbSafeBody {
        user_data = user_data, timestamp = timestamp, usec = usec, seq_number = seq_number,
        s_address = s_address, r_address = r_address,
    }
    wire::KrbSafe<'_> => KrbSafe { pvno = pvno, msg_type = msg_type, safe_body = body, cksum = cksum }
    wire::KrbPriv<'_> => KrbPriv { pvno = pvno, msg_type = msg_type, enc_part = enc_part }
    wire::EncKrbPrivPart<'_> => EncKrbPrivPart {
        user_data = user_data, timestamp = timestamp, usec = usec, seq_number = seq_number,
        s_address = sender_address, r_address = recipient_address,
    }
    wire::KrbCred<'_> => KrbCred { pvno = pvno, msg_type = msg_type, tickets = tickets, enc_part = enc_part }
    wire::KrbCredInfo<'_> => KrbCredInfo {
        key = key, prealm = prealm, pname = pname, flags = flags, authtime = auth_time, starttime = start_time,
        endtime = end_time, renew_till = renew_till, srealm = srealm, sname = sname, caddr = caddr,
    }
    wire::EncKrbCredPart<'_> => EncKrbCredPart {
        ticket_info = ticket_info, nonce = nonce, timestamp = timestamp, usec = usec,
        s_address = sender_address, r_address = recipient_address,
    }
    wire::KrbError<'_> => KrbError {
        pvno = pvno, msg_type = msg_type, ctime = ctime, cusec = cusec, stime = stime, susec = susec,
        error_code = error_code, crealm = crealm, cname = cname, realm = realm, sname = sname, e_text = e_text,
        e_data = e_data,
    }
}

macro_rules! tagged {
    ($($name:ident)*) => { $(
        impl Roll for theirs::$name {
            fn roll(dice: &mut Dice<'_>) -> Self {
                Self(Roll::roll(dice))
            }
        }

        impl Same<theirs::$name> for wire::$name<'_> {
            fn same(&self) -> theirs::$name {
                theirs::$name(self.0.same())
            }
        }
    )* };
}

tagged! { AsReq TgsReq AsRep TgsRep EncAsRepPart EncTgsRepPart }
