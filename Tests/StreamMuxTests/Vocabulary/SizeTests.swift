import Testing

@testable import StreamMux

@Suite("What moves with every frame")
struct SizeTests {
  @Test("is small: an event, a decoded frame, a control frame that waits")
  func sizes() {
    #expect(MemoryLayout<MuxEvent>.size <= 64)
    #expect(MemoryLayout<FrameEvent>.size <= 64)
    #expect(MemoryLayout<ControlQueue.Item>.size <= 32)
  }
}
