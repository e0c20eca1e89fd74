/// Two digests that stand for any, in the examples of the property table.
let exampleDigest = "sha256:9c41b1f0a3d2c5e47f8091a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6"
let otherDigest = "sha256:0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0"
