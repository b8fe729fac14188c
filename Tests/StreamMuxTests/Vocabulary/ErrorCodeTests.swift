import StreamMux
import Testing

@Suite("Error codes")
struct ErrorCodeTests {
  @Test("are one ascending list without a value or name twice")
  func registry() {
    let values = ErrorCode.registry.map(\.code.rawValue)
    #expect(values == values.sorted())
    #expect(Set(values).count == values.count)
    #expect(Set(ErrorCode.registry.map(\.name)).count == values.count)
    #expect(values == Array(0x00...0x0D) + Array(0x20...0x29) + Array(0x40...0x4B))
  }

  @Test("have names, and unknown ones a number")
  func names() {
    #expect("\(ErrorCode.protocolViolation)" == "protocolViolation (0x01)")
    #expect("\(ErrorCode.handlerGone)" == "handlerGone (0x4B)")
    #expect("\(ErrorCode(rawValue: 0xDEAD))" == "unknown code 0xDEAD")
    #expect("\(ErrorCode(rawValue: 0x0E))" == "unknown code 0x0E")
  }
}
