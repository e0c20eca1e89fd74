extension ErrorCatalogue {
  /// What signatures say: of policies, root hashes and objects.
  static let signatureParagraphs: [String: String] = [
    "signature.certificate":
      "The file holds no X.509 certificate in PEM (-----BEGIN CERTIFICATE-----), or a block of it is cut, damaged, encrypted or of another kind. The block is named by its number. OpenSSL's own readers take such a block for the end of the file, and what stands behind it would count no more without a word.",
    "signature.certificate-key":
      "The certificate can be read, and its key cannot: the algorithm that the object identifier names is none that this OpenSSL has, or the key is damaged. Such a certificate can vouch for nothing. Where it was named it is refused; among trust anchors its file is passed over with a warning, and the others count.",
    "signature.key-kind":
      "The kernel takes signatures as PKCS#7 messages by RSA or ECDSA keys. An Ed25519 key signs in another way, which PKCS#7 as it is used here has no place for; take a key of one of the two kinds.",
    "signature.private-key":
      "The file holds no private key in PEM, or nothing is behind the URI. The PIN of a token belongs into its URI (pin-source=), or into the file that --passphrase-file names.",
    "signature.passphrase":
      "The private key is kept under a pass phrase, or its token wants a PIN. Nobody is asked on a terminal, so that a build or a boot cannot hang: --passphrase-file names a file whose first line opens the key.",
    "signature.configuration":
      "Signing follows openssl.cnf, or the file that OPENSSL_CONF names, because keys may be where only a provider or an engine finds them, and because of FIPS mode. Something that it lists cannot be loaded. Verifying and loading never read it.",
    "signature.key-mismatch":
      "The private key does not belong to the certificate. With several certificates in a file the first is the signer's.",
    "sign.trailer-removed":
      "The object had the signature of kernel modules behind it, which is over every byte of the file. The section that was added makes it another file, so that signature no longer holds, and was taken away. To have both, sign with --format companion first and with --format module after it.",
    "sign.partition-stays":
      "The disk image has a signature in a partition of its own, and signing does not write to the image. The new signature lies beside it, and counts there in the place of the old one; wherever the disk goes without that file, the old one counts. Build the image anew to replace it.",
    "signature.malformed":
      "The file is no PKCS#7 message of the type signedData. A message that names its signer by key identifier (CMS, sign-file -k) is none either: PKCS#7 names issuer and serial number.",
    "signature.content":
      "IPE policies travel inside their signature (attached), root hashes beside it (detached). This message is of the other kind.",
    "signature.weak-digest":
      "The signature is over SHA-1 or another digest for which two different texts can be made. The kernel still takes sha1 here; sign again with sha256.",
    "signature.untrusted":
      "The signer's certificate is not among the trusted ones. Certificates inside the message are not looked at, and no chain is followed: trust is what was given by name.",
    "signature.bad": "The signature does not fit the bytes: they were changed, or another key signed.",
    "signature.openssl": "OpenSSL could not do its work; its own reason is shown.",
    "signature.signers":
      "The message has two signers or none. Which of two a reader follows is not the same everywhere, so neither counts.",
    "signature.trailing":
      "Bytes follow the message. The kernel ignores them; here they are refused, because they were not signed.",
    "signature.not-der":
      "The message is in BER: a length is left open, or longer than it need be. One message then has many spellings, and readers differ in which they take. DER has one. `openssl cms -stream` makes the other kind.",
    "signature.length":
      "A length in the message is more than there are bytes. The message is cut short, or somebody tries what readers do with it.",
    "signature.attributes":
      "The signature is over a list of attributes that holds the digest of the content. An object's signature is over the content itself: sign with -noattr. For IPE policies both are taken.",
    "signature.expired":
      "The signer's certificate is not valid yet, or not any more. The kernel does not look at these dates; here they are what ends the use of a key nobody revoked.",
    "signature.purpose":
      "The signer's certificate says what it is for, and signing code is not among it: a key usage without digitalSignature, or an extended key usage without codeSigning. A certificate that names neither may be used. The kernel does not look; here a server's or a mail certificate that got among the anchors vouches for nothing.",
    "signature.unchecked":
      "The signature was put to the object without being checked, because no certificate was named. Its form was checked.",
    "object-signature.none":
      "The object has neither a section .bpf_sig (verity-bpf sign file) nor a module signature at its end.",
    "object-signature.twice":
      "Two sections are called .bpf_sig. Readers could follow different ones, so neither counts. Signing again replaces both.",
    "object-signature.section":
      "The contents of .bpf_sig are not what is written there: eight bytes VBPFSIG1, a manifest, a message, nothing else.",
    "object-signature.trailer":
      "The file ends in the mark of a module signature, and the twelve bytes before it are none. The kernel answers EBADMSG or ENOPKG.",
    "object-signature.manifest":
      "The signature holds, and what it is over is no manifest that this program writes. The line is named.",
    "object-signature.changed":
      "This part of the object is another one than when it was signed. A signature copied from another object shows the same.",
    "object-signature.missing":
      "This part was signed and is gone. Only debugging data may be stripped: llvm-strip -g, or llvm-objcopy --strip-debug.",
    "object-signature.not-covered":
      "The object has a part that the signed manifest does not name. Whoever signed it never saw it.",
    "object-signature.code-not-covered":
      "The object has instructions that the signed manifest does not name. A signature that says nothing about code says nothing.",
    "trust.not-a-file":
      "Where a certificate should be there is a directory, a FIFO or a device. It is not opened and waited for.",
    "trust.too-large":
      "A file of certificates has more than a mebibyte, or a list of revocations more than sixteen. It is not what its name says.",
    "trust.certificate-count":
      "A file in the VOA hierarchy (UAPI.11) or in verity.d holds several certificates. systemd would take the first, and a mask is for one verifier, so what such a file means depends on who reads it. It counts for nothing; give each certificate a file of its own.",
    "trust.not-considered":
      "Something in the VOA hierarchy is not to be considered, by its specification (UAPI.11): a link out of the load paths, to one that comes before, to another name or to nothing, any link in /run/voa, a mask for a whole directory, or something that is no file. It is passed over, so that fewer are trusted and never more.",
    "trust.unknown-entry":
      "The directory of trust anchors holds directories named like the words of bpf_keyring= in small letters, and the file `revoked`. Anything else could be one of them misspelt, and is an error.",
    "trust.key":
      "A file of trusted certificates has a key in it as well. The certificates count. A private key that lies where every load reads can be stolen there; take it out.",
    "trust.unreadable":
      "A directory or a link where certificates are kept cannot be looked at. It could hold the certificate that counts, or a mask that takes another one away, so no signature is checked until it can be read, or the certificates are named (--certificate, --trust-anchors).",
    "trust.list":
      "A signed list of what was revoked begins with its head: list_name=NAME list_version=MAJOR.MINOR.REVISION, and valid_until=YYYY-MM-DD where it is not to be relied on after that day. Behind it are the lines of the file `revoked`. `verity-bpf revoked make` writes such lists, `verity-bpf revoked check` reads them.",
    "trust.list-signature":
      "Lists of what was revoked are signed by certificates in the set `revocation` among the trust anchors, and by no others: who may sign programs need not be who may revoke them. A list without such a signature is not installed. One that lies in revoked.d without it stops all that asks about trust, because it is not known what it named before it was damaged or replaced.",
    "trust.list-name":
      "A list is the file revoked.d/NAME.p7b of its own name, so that there is one version of each list. `verity-bpf revoked install` puts it there.",
    "trust.list-stale":
      "Every version of a list is above all that came before, under the same name, so that an old list, validly signed, cannot bring back what was revoked since. The file revoked.d/versions remembers them. Where an older list lies in revoked.d all the same, nothing is judged until a newer one is installed.",
    "trust.list-missing":
      "A list of that name was installed, and its file is gone. What it revoked would count again, so nothing is judged until it is installed again: the same version, or a higher one.",
    "trust.list-expired":
      "The author of the list wrote valid_until: after that day a newer list is to be there, and who holds it back would keep what was revoked since in use. So nothing is judged (no load, no mount, no policy) until a list is installed that is to be relied on. Leave valid_until out of lists for machines that are out of reach for longer. The day is held against this machine's clock.",
    "trust.list-versions":
      "The file revoked.d/versions, which remembers the highest version of each list, is not what was written to it. Restore it from a backup; it is not made again by itself, because an old list could come back then.",
    "trust.revocations":
      "Each line of the list `revoked` is `signer`, `object` or `root-hash`, then sha256:HEX. A line that is not understood could be the one that matters, so nothing is admitted until it is corrected.",
    "object-signature.hash": "OpenSSL could not compute SHA-256, most often because of its configuration (FIPS).",
    "object-signature.kernel":
      "Besides the signature of the whole object there is one of each program, for the kernel to check. One of them is not by the same signer, or not over the program's instructions. The object itself may be as it was signed; it is refused all the same, because somebody changed the file.",
    "kernel-signature.missing":
      "With --keyring every program is given to the kernel with a signature of its own, which `verity-bpf sign file` puts into .bpf_sig. Programs that name kernel functions or variables cannot have one: the numbers of those are part of the signed instructions, and differ from kernel to kernel. A signature that was made elsewhere (--attach-signature) covers the object and not its programs.",
    "kernel-signature.unsupported":
      "Checking signatures of programs came with Linux 6.18. An older kernel answers E2BIG, one that was built without system keyrings EOPNOTSUPP.",
    "kernel-signature.not-checked":
      "Before anything rests on the kernel's word it is given a signature of something else. This kernel took the program, so it looks at no signature, and what it says of the right one means nothing.",
    "kernel-signature.probe":
      "The kernel does not take a program of two instructions from this process. Without that, nothing can be asked about signatures.",
    "kernel-signature.keyring":
      "The keyring does not exist, or cannot be used: builtin, secondary and platform are the kernel's own, session is the caller's, and a number is the serial of a keyring (not of a key).",
    "kernel-signature.unknown-key":
      "The keyring holds no certificate that the signature is by. On a machine with Secure Boot, certificates of the firmware's db are in `platform`; those built into the kernel in `builtin`.",
    "kernel-signature.rejected":
      "The key is there, and the signature is of other bytes: the instructions, the order of the maps or (from 7.3) the maps' contents are not what was signed.",
    "kernel-signature.malformed":
      "The kernel takes one detached PKCS#7 message in DER, without content. `sign file` makes such messages.",
    "kernel-signature.maps":
      "Linux 7.3 takes a signed program only without maps, or when the contents of all its maps are under the signature. That is possible for arrays of one entry (global variables) of an object with one program. For others a signed program would have to make the maps and load it, which is not built yet. The same object loads on 6.18 to 7.2, and anywhere without --keyring.",
  ]
}
