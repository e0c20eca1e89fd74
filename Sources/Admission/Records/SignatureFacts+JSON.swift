public import Base
public import Provenance

extension SignatureFacts {
  /// What is known of an object's signature, for the audit record and `--json`.
  public var json: JSONValue {
    [
      "verdict": .string(verdict.rawValue), "signer": .optional(signer?.description), "subject": .optional(subject),
      "keyring": .optional(keyring?.uppercased()), "format": .optional(format), "witness": "userspace",
      "refusal": .optional(refusal),
    ]
  }
}
