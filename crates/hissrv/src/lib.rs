//! hissrv
