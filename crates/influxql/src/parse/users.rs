//! Users and what they may do: CREATE USER, SET PASSWORD, GRANT, REVOKE.

use super::{Parsed, Parser};
use crate::ast::{BinaryOp, Privilege, Statement};
use crate::token::{Keyword as K, Kind};

impl Parser<'_> {
    /// The words CREATE USER were read.
    pub(super) fn create_user(&mut self) -> Parsed<Statement> {
        let name = self.ident()?;
        self.expect_words(&[K::With, K::Password])?;
        let password = self.string()?;
        let admin = self.accept_word(K::With);
        if admin {
            self.expect_words(&[K::All, K::Privileges])?;
        }
        Ok(Statement::CreateUser { name, password, admin })
    }

    /// The word SET was read.
    pub(super) fn set_password(&mut self) -> Parsed<Statement> {
        self.expect_words(&[K::Password, K::For])?;
        let name = self.ident()?;
        self.expect(Kind::Operator(BinaryOp::Eq), "=")?;
        Ok(Statement::SetPassword { name, password: self.string()? })
    }

    /// The word GRANT was read.
    pub(super) fn grant(&mut self) -> Parsed<Statement> {
        let privilege = self.privilege()?;
        let database = self.granted_database(privilege, K::To)?;
        Ok(Statement::Grant { privilege, database, user: self.ident()? })
    }

    /// The word REVOKE was read.
    pub(super) fn revoke(&mut self) -> Parsed<Statement> {
        let privilege = self.privilege()?;
        let database = self.granted_database(privilege, K::From)?;
        Ok(Statement::Revoke { privilege, database, user: self.ident()? })
    }

    fn privilege(&mut self) -> Parsed<Privilege> {
        let token = self.tokens.next();
        match token.kind {
            Kind::Word(K::Read) => Ok(Privilege::Read),
            Kind::Word(K::Write) => Ok(Privilege::Write),
            Kind::Word(K::All) => {
                self.accept_word(K::Privileges);
                Ok(Privilege::All)
            }
            _ => Err(self.unexpected(&token, &["READ", "WRITE", "ALL [PRIVILEGES]"])),
        }
    }

    /// `[ON name]` and the word before the user. Only everything can be granted without a database.
    fn granted_database(&mut self, privilege: Privilege, before_user: K) -> Parsed<Option<String>> {
        let token = self.tokens.next();
        match token.kind {
            Kind::Word(K::On) => {
                let database = self.ident()?;
                self.expect_words(&[before_user])?;
                Ok(Some(database))
            }
            Kind::Word(word) if word == before_user && privilege == Privilege::All => Ok(None),
            _ if privilege == Privilege::All => Err(self.unexpected(&token, &["ON", before_user.text()])),
            _ => Err(self.unexpected(&token, &["ON"])),
        }
    }
}
