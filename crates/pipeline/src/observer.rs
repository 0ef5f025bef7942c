//! Those who keep something that is made of stored values, and must know what changes.

use std::io;

use engine::Touched;

/// Is told what each record of the journal changed, in the order of the journal: after queries see it, and before anybody is told
/// that they do. So whoever has been told that a value is stored never meets an observer that does not know.
pub trait Observer: Send + Sync {
    /// Something changed. Called by one thread; must be quick, since writers wait for it.
    fn changed(&self, touched: &Touched);

    /// Everything is to be doubted: records were lost before the store had them, or could not be decoded.
    fn lost_track(&self);

    /// Makes durable what it was told so far. The journal forgets the records once this has returned; until then it tells them again
    /// after a crash, some of them twice.
    ///
    /// # Errors
    /// Why not; it is asked again a little later.
    fn persist(&self) -> io::Result<()>;
}

/// Several observers as one.
#[derive(Default)]
pub struct Observers(pub Vec<std::sync::Arc<dyn Observer>>);

impl Observer for Observers {
    fn changed(&self, touched: &Touched) {
        self.0.iter().for_each(|observer| observer.changed(touched));
    }

    fn lost_track(&self) {
        self.0.iter().for_each(|observer| observer.lost_track());
    }

    fn persist(&self) -> io::Result<()> {
        self.0.iter().try_for_each(|observer| observer.persist())
    }
}
