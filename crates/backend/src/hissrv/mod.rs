//! Another hissrv: from the edge to the centre.
