#if Authentication
  import Crypto
  import Foundation
  import SwiftASN1
  import X509

  /// An authority for tests: signs certificates that servers show each other.
  struct CertificateAuthority: Sendable {
    /// Text in PEM.
    typealias PEM = String

    /// A certificate and its key.
    struct Identity: Sendable {
      let certificate: PEM
      let key: PEM
    }

    let certificate: Certificate
    private let key: Certificate.PrivateKey

    /// Makes a new authority.
    ///
    /// - Parameters:
    ///   - name: Who it is, for people.
    ///   - validity: When it may be used; what it signs ends with it.
    init(name: String, validity: ClosedRange<Date>) throws {
      let key = Certificate.PrivateKey(P256.Signing.PrivateKey())
      self.key = key
      let subject = try DistinguishedName { CommonName(name) }
      certificate = try Certificate(
        version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: key.publicKey,
        notValidBefore: validity.lowerBound, notValidAfter: validity.upperBound, issuer: subject,
        subject: subject, signatureAlgorithm: .ecdsaWithSHA256,
        extensions: try Certificate.Extensions {
          Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0))
          Critical(KeyUsage(keyCertSign: true, cRLSign: true))
          SubjectKeyIdentifier(hash: key.publicKey)
        }, issuerPrivateKey: key)
    }

    /// An authority that was made before.
    init(certificate: PEM, key: PEM) throws {
      self.certificate = try Certificate(pemEncoded: certificate)
      self.key = try Certificate.PrivateKey(pemEncoded: key)
    }

    /// The authority's own certificate and key.
    var identity: Identity {
      get throws {
        Identity(
          certificate: try certificate.serializeAsPEM().pemString + "\n",
          key: try key.serializeAsPEM().pemString + "\n")
      }
    }

    /// Signs a certificate for a new key, good for both ends of a connection unless it shall be for others.
    func issue(
      to name: String, uris: [String], dnsNames: [String] = [], validity: ClosedRange<Date>,
      usages: [ExtendedKeyUsage.Usage] = [.serverAuth, .clientAuth]
    ) throws -> Identity {
      let own = P256.Signing.PrivateKey()
      let issued = try Certificate(
        version: .v3, serialNumber: Certificate.SerialNumber(),
        publicKey: Certificate.PublicKey(own.publicKey),
        notValidBefore: validity.lowerBound,
        notValidAfter: min(validity.upperBound, certificate.notValidAfter), issuer: certificate.subject,
        subject: try DistinguishedName { CommonName(name) }, signatureAlgorithm: .ecdsaWithSHA256,
        extensions: try Certificate.Extensions {
          Critical(BasicConstraints.notCertificateAuthority)
          Critical(KeyUsage(digitalSignature: true))
          try ExtendedKeyUsage(usages)
          SubjectAlternativeNames(
            uris.map(GeneralName.uniformResourceIdentifier) + dnsNames.map(GeneralName.dnsName))
          AuthorityKeyIdentifier(
            keyIdentifier: SubjectKeyIdentifier(hash: key.publicKey).keyIdentifier)
        }, issuerPrivateKey: key)
      return Identity(
        certificate: try issued.serializeAsPEM().pemString + "\n", key: own.pemRepresentation + "\n")
    }
  }
#endif
