//! Sources of Debian packages.
