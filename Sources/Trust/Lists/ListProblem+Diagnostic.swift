internal import Base

extension ListProblem {
  /// Why nothing is judged where a list cannot be relied on.
  private static let why = "it may revoke just what is asked about"
  private static let renew = "install a list that counts: verity-bpf revoked install FILE"

  func diagnostic(of path: String) -> Diagnostic {
    switch self {
    case .head:
      Diagnostic(
        "trust.list", .invalid, "`\(path)`, line 1: this is not the head of a list of what was revoked",
        expected: "list_name=NAME list_version=MAJOR.MINOR.REVISION, and perhaps valid_until=YYYY-MM-DD", why: Self.why,
        next: "`verity-bpf revoked make` writes such lists")
    case .signature(let cause):
      Diagnostic(
        "trust.list-signature", .integrity, "the list `\(path)` has no signature that counts",
        expected: "a signature by a certificate of the set `\(Trust.listSet)` among the trust anchors",
        found: cause?.message, why: Self.why, next: Self.renew)
    case .revoked(let revocation):
      Diagnostic(
        "trust.list-signature", .integrity, "the signer of the list `\(path)` was revoked",
        expected: "a signer who counts", found: revocation.diagnostic.found, why: Self.why,
        next: "have another signer sign it")
    case .name(let name):
      Diagnostic(
        "trust.list-name", .invalid, "`\(path)` holds the list `\(name)`", expected: "the list that its file is called",
        why: "two files with one list could be of two versions", next: Self.renew)
    case .stale(let version, let lowest):
      Diagnostic(
        "trust.list-stale", .integrity, "the list `\(path)` is older than one that was installed",
        expected: "version \(lowest), or one above it", found: "\(version)",
        why: "an old list does not have what was revoked since", next: "sign it again with a higher list_version")
    case .missing(let version):
      Diagnostic(
        "trust.list-missing", .integrity, "the list `\(path)` was installed, and is not there",
        expected: "version \(version), or one above it", why: Self.why, next: Self.renew)
    case .expired(let day):
      Diagnostic(
        "trust.list-expired", .integrity, "the list `\(path)` was to be relied on up to \(day)",
        expected: "a list of this day, or later", found: "valid_until=\(day)",
        why: "its author says that there is a newer one by now, which may revoke what is asked about", next: Self.renew)
    case .versions(let reason):
      Diagnostic(
        "trust.list-versions", .integrity, "`\(path)` is not what was written to it", found: reason,
        why: "it holds the lowest versions of lists; without it an old list could come back",
        next: "restore it from a backup")
    }
  }
}
