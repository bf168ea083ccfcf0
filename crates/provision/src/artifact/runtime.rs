//! Tables of what Lambda's runtimes provide for native code, with their sources.

use super::elf::Glibc;

/// The system a runtime stands on, where it is known.
/// <https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum System {
    AmazonLinux2,
    AmazonLinux2023,
}

fn system_of(runtime: &str) -> Option<System> {
    match runtime {
        "provided.al2" | "java8.al2" | "java11" | "java17" | "dotnet6" | "nodejs18.x" | "ruby3.2" => {
            Some(System::AmazonLinux2)
        }
        "python3.8" | "python3.9" | "python3.10" | "python3.11" => Some(System::AmazonLinux2),
        "provided.al2023" | "java21" | "dotnet8" | "nodejs20.x" | "nodejs22.x" | "nodejs24.x" => {
            Some(System::AmazonLinux2023)
        }
        "python3.12" | "python3.13" | "python3.14" | "ruby3.3" | "ruby3.4" => Some(System::AmazonLinux2023),
        _ => None,
    }
}

/// <https://docs.aws.amazon.com/linux/al2023/ug/compare-with-al2.html>
pub(super) fn glibc_of(runtime: &str) -> Option<Glibc> {
    match system_of(runtime)? {
        System::AmazonLinux2 => Some(Glibc(2, 26)),
        System::AmazonLinux2023 => Some(Glibc(2, 34)),
    }
}

/// Whether the runtime has a shared library of this name. `None` if that is not known.
pub(super) fn has_library(runtime: &str, name: &str) -> Option<bool> {
    match system_of(runtime)? {
        System::AmazonLinux2 => None,
        System::AmazonLinux2023 => Some(GLIBC.contains(&name) || AMAZON_LINUX_2023.contains(&name)),
    }
}

/// glibc's own, and its loaders.
const GLIBC: &[&str] = &[
    "ld-linux-aarch64.so.1",
    "ld-linux-x86-64.so.2",
    "libanl.so.1",
    "libc.so.6",
    "libdl.so.2",
    "libm.so.6",
    "libmvec.so.1",
    "libnss_dns.so.2",
    "libnss_files.so.2",
    "libpthread.so.0",
    "libresolv.so.2",
    "librt.so.1",
    "libthread_db.so.1",
    "libutil.so.1",
];

/// Libraries in the packages of the minimal image, from which `provided.al2023` is made.
/// <https://docs.aws.amazon.com/linux/al2023/ug/lambda.html>,
/// <https://github.com/amazonlinux/amazon-linux-2023/issues/585>
const AMAZON_LINUX_2023: &[&str] = &[
    "libacl.so.1",
    "libarchive.so.13",
    "libattr.so.1",
    "libaudit.so.1",
    "libblkid.so.1",
    "libbz2.so.1",
    "libcap-ng.so.0",
    "libcap.so.2",
    "libcom_err.so.2",
    "libcrypt.so.2",
    "libcrypto.so.3",
    "libcurl.so.4",
    "libexpat.so.1",
    "libffi.so.8",
    "libgcc_s.so.1",
    "libgcrypt.so.20",
    "libgio-2.0.so.0",
    "libglib-2.0.so.0",
    "libgmodule-2.0.so.0",
    "libgmp.so.10",
    "libgobject-2.0.so.0",
    "libgomp.so.1",
    "libgpg-error.so.0",
    "libgssapi_krb5.so.2",
    "libgthread-2.0.so.0",
    "libidn2.so.0",
    "libjson-c.so.5",
    "libk5crypto.so.3",
    "libkeyutils.so.1",
    "libkrb5.so.3",
    "libkrb5support.so.0",
    "liblua-5.4.so",
    "liblz4.so.1",
    "liblzma.so.5",
    "libmagic.so.1",
    "libmount.so.1",
    "libmpfr.so.6",
    "libncurses.so.6",
    "libncursesw.so.6",
    "libnghttp2.so.14",
    "libp11-kit.so.0",
    "libpcre2-8.so.0",
    "libpopt.so.0",
    "libpsl.so.5",
    "libreadline.so.8",
    "libselinux.so.1",
    "libsepol.so.2",
    "libsmartcols.so.1",
    "libsqlite3.so.0",
    "libssl.so.3",
    "libstdc++.so.6",
    "libtasn1.so.6",
    "libtinfo.so.6",
    "libunistring.so.2",
    "libuuid.so.1",
    "libverto.so.1",
    "libxml2.so.2",
    "libyaml-0.so.2",
    "libz.so.1",
    "libzstd.so.1",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_knows_is_not_refused() {
        assert_eq!(glibc_of("provided.later"), None);
        assert_eq!(has_library("provided.al2", "libssl.so.10"), None);
        assert_eq!(has_library("provided.al2023", "libssl.so.3"), Some(true));
        assert_eq!(has_library("python3.13", "libssl.so.1.1"), Some(false));
    }
}
