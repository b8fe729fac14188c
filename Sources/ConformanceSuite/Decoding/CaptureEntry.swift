/// One frame of a capture, one message of the classic protocol, or what is none of both.
package struct CaptureEntry: Sendable, Equatable, Encodable {
  package var direction: CaptureFormat.Direction
  /// Bytes of the direction in front of it.
  package var offset: Int
  /// The name of the frame's type; `preface`; `message` where there are no frames; `none` for what is nothing.
  package var frame: String
  package var type: UInt8?
  /// The names of the flags that are set.
  package var flags: [String]?
  /// The class of an opening frame, or of STREAMS.
  package var trafficClass: String?
  /// How the opener encodes its bytes, in an opening frame.
  package var encoding: UInt8?
  package var group: UInt64?
  /// Bytes of payload, as the header has them.
  package var length: Int?
  package var stream: UInt64?
  /// The limit of CREDIT and STREAMS, the last id of GOAWAY, the number of PING and PONG.
  package var number: UInt64?
  /// The error code of RESET, STOP, WELCOME and GOAWAY.
  package var code: UInt32?
  package var codeName: String?
  /// Whether the checksum was right, where there is one.
  package var checksum: Bool?
  package var hello: Hello?
  /// All of it in a line.
  package var text: String
  /// The messages that end in it.
  package var messages: [CapturedMessage]
  /// Whether it is a fault of the bytes.
  package var isFault: Bool

  /// What a HELLO says.
  package struct Hello: Sendable, Equatable, Encodable {
    package let versions: [UInt16]
    package let features: UInt64
    package let methods: UInt32
    package let maximumFramePayload: UInt32
    package let initialWindow: UInt32
    package let streamCredit: [UInt32]
    package let incarnation: UInt64
    package let nonce: String
    package let clusterID: String
    package let serverID: String
    package let address: String
    package let targetServerID: String
    /// What is wrong with it.
    package let fault: String?

    init(_ hello: ProbeHello) {
      func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
      versions = [hello.minimumVersion, hello.maximumVersion]
      (features, methods) = (hello.features, hello.methods)
      (maximumFramePayload, initialWindow) = (hello.maximumFramePayload, hello.initialWindow)
      streamCredit = [hello.electionStreams, hello.appendStreams, hello.snapshotStreams]
      incarnation = hello.incarnation
      nonce = hexadecimal(hello.nonce).filter { $0 != " " }
      (clusterID, serverID) = (text(hello.clusterID), text(hello.serverID))
      (address, targetServerID) = (text(hello.address), text(hello.targetServerID))
      fault = hello.fault
    }
  }

  enum CodingKeys: String, CodingKey {
    case direction, offset, frame, type, flags, encoding, group, length, stream, number, code, codeName,
      checksum, hello, text, messages, isFault
    case trafficClass = "class"
  }

  init(
    _ direction: CaptureFormat.Direction, offset: Int, frame: String, text: String = "",
    messages: [CapturedMessage] = [], isFault: Bool = false
  ) {
    (self.direction, self.offset, self.frame) = (direction, offset, frame)
    (self.text, self.messages, self.isFault) = (text, messages, isFault)
  }

  /// A frame by the fields of its header and those of its payload that every frame of its type has.
  init(_ direction: CaptureFormat.Direction, offset: Int, _ frame: ProbeFrame, checksum: Bool?) {
    self.init(direction, offset: offset, frame: FrameKind.name(frame.type), text: "\(frame)")
    type = frame.type
    length = frame.payload.count
    stream = frame.stream == 0 ? nil : frame.stream
    self.checksum = checksum
    code = frame.code
    codeName = frame.code.map(CodeName.describe)
    switch frame.type {
    case FrameKind.data:
      flags = [(DataFlag.open, "OPEN"), (DataFlag.fin, "FIN"), (DataFlag.more, "MORE")]
        .filter { frame.flags & $0.0 != 0 }.map(\.1)
      if frame.isOpening {
        (trafficClass, encoding) = (StreamClass.name(frame.trafficClass), frame.encoding)
        group = frame.group
      }
    case FrameKind.streams: (trafficClass, number) = (StreamClass.name(frame.trafficClass), frame.number)
    case FrameKind.credit, FrameKind.ping, FrameKind.pong, FrameKind.goAway: number = frame.number
    default: break
    }
    if checksum == false {
      text += ", wrong checksum"
      isFault = true
    }
  }

  package var line: String {
    ([direction.rawValue, text].joined(separator: " ")) + messages.map { "\n    \($0.text)" }.joined()
  }
}
