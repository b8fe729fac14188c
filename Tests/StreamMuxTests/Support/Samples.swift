import NIOCore
import StreamMux

func sampleHello(
  server: String = "n1", target: String = "", cluster: String = "blue", nonce: UInt64 = 1,
  methods: AuthenticationMethods = .none, features: Features = .known,
  versions: ClosedRange<UInt16> = 1...1, extensions: [Hello.Extension] = []
) throws -> Hello {
  try Hello(
    minimumVersion: versions.lowerBound, maximumVersion: versions.upperBound, features: features,
    methods: methods, incarnation: 7, nonce: Nonce(high: nonce, low: nonce), clusterID: cluster,
    serverID: server, address: "10.0.0.1:7000", targetServerID: target, extensions: extensions)
}

func payload(of hello: Hello) -> ByteBuffer {
  var buffer = ByteBuffer()
  hello.encode(into: &buffer)
  return buffer
}

/// One of each kind, small and large.
func mixedFrames(isChecksummed: Bool, dataLength: Int) -> ByteBuffer {
  let encoder = FrameEncoder(isChecksummed: isChecksummed)
  var bytes = ByteBuffer()
  let body = ByteBuffer(bytes: (0..<dataLength).map { UInt8(truncatingIfNeeded: $0 &* 7) })
  encoder.write(.ping(0x0102_0304_0506_0708), into: &bytes)
  encoder.write(
    DataHeader(
      stream: 1, opening: .init(trafficClass: 2, encoding: 0, group: 9), hasMore: true,
      byteCount: body.readableBytes),
    payload: body, into: &bytes)
  encoder.writeIgnorable(type: 0x9C, payload: [1, 2, 3], into: &bytes)
  encoder.write(.credit(stream: 2, limit: 1 << 40), into: &bytes)
  encoder.write(DataHeader(stream: 1, isLast: true, byteCount: 0), payload: ByteBuffer(), into: &bytes)
  encoder.write(.goAway(GoAway(lastStream: 8, code: .shutdown, text: "bye")), into: &bytes)
  encoder.write(.reset(stream: 3, code: .cancelled), into: &bytes)
  encoder.write(DataHeader(stream: 5, byteCount: 3), payload: ByteBuffer(bytes: [1, 2, 3]), into: &bytes)
  encoder.write(.streams(.snapshot, limit: 12), into: &bytes)
  return bytes
}
