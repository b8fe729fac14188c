import Crypto
import Foundation
import NIOCore
import RaftWire

/// The files with recorded bytes, and the profile that wrote each.
enum VectorFile: String, CaseIterable, Sendable {
  case original = "public-1.1.2"
  case addressed = "public-1.5"
  case modern = "public-1.7-oldtime"
  case modernNewTime = "public-1.7-newtime"

  var profile: WireProfile {
    switch self {
    case .original: .original
    case .addressed: .addressed
    case .modern: .modern
    case .modernNewTime: .modernNewTime
    }
  }

  func vectors() throws -> [Vector] {
    let file = try SpecFile.object("vectors/raft-wire/vectors/\(rawValue).json")
    guard let list = file.object["vectors"] as? [[String: Any]] else {
      throw VectorValue.Unreadable(key: "vectors")
    }
    return try list.map { try Vector(VectorValue(object: $0)) }
  }
}

/// One value and its bytes.
struct Vector {
  let name: String
  let type: String
  let rpcType: UInt8?
  let value: VectorValue
  let length: Int
  /// All bytes, unless there are many.
  let bytes: ByteBuffer?
  let sha256: String?
  let prefix: ByteBuffer?

  init(_ vector: VectorValue) throws {
    name = try vector.string("name")
    type = try vector.string("type")
    rpcType = vector.object["rpc_type"] == nil ? nil : UInt8(try vector.signed("rpc_type"))
    guard let value = try vector.object("value") else { throw VectorValue.Unreadable(key: "value") }
    self.value = value
    length = Int(try vector.signed("length"))
    bytes = vector.object["hex"] == nil ? nil : try vector.bytes("hex")
    sha256 = vector.object["sha256"] as? String
    prefix = vector.object["prefix_hex"] == nil ? nil : try vector.bytes("prefix_hex")
  }

  /// Whether these are the bytes, by themselves or by their digest.
  func matches(_ encoded: ByteBuffer) -> Bool {
    guard encoded.readableBytes == length else { return false }
    if let bytes { return bytes == encoded }
    guard let prefix, let sha256, encoded.getSlice(at: 0, length: prefix.readableBytes) == prefix else {
      return false
    }
    let digest = SHA256.hash(data: Data(encoded.readableBytesView))
    return ByteBuffer(bytes: digest).hex == sha256
  }
}

enum SpecFile {
  /// The project's Spec folder.
  static let folder = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("Spec")

  static func object(_ path: String) throws -> VectorValue {
    let data = try Data(contentsOf: folder.appendingPathComponent(path))
    guard let object = try JSONSerialization.jsonObject(with: data) as? [String: Any] else {
      throw VectorValue.Unreadable(key: path)
    }
    return VectorValue(object: object)
  }
}
