//! The file system as the kernel shows it.

#[cfg(all(test, target_os = "linux"))]
mod mounted;
