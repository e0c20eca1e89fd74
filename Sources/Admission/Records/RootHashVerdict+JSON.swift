public import Base
public import Trust

extension RootHashVerdict {
  /// What is known of the signature of an image's root hash, for the audit record and `--json`.
  public var json: JSONValue {
    [
      "counts": .bool(counts), "signer": .optional(signer?.description), "subject": .optional(subject),
      "anchors": .optional(anchors), "place": .string(place), "witness": "userspace",
      "refusal": .optional(refusal?.code),
    ]
  }
}
