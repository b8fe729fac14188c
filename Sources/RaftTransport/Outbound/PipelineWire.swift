import NIOCore
import StreamMux

/// What carries a pipeline: a stream, or a connection of the classic protocol. Called from any thread.
protocol PipelineWire: Sendable {
  /// Sends a request behind those before it.
  func send(_ request: ByteBuffer)

  /// The consumer took a future where there was no room for answers: they may be read again.
  func consumerMadeRoom()

  /// The users have closed the pipeline.
  func close()

  /// The pipeline has ended on the event loop; the two no longer hold each other.
  func letGo()
}

/// A stream of a multiplexed connection.
struct StreamWire: PipelineWire {
  let link: Link
  let stream: LoopHandle<AppendStream>

  func send(_ request: ByteBuffer) {
    link.send(.append(stream, request))
  }

  func consumerMadeRoom() {
    link.send(.perform { [stream] driver in stream.value?.consumerMadeRoom(driver) })
  }

  func close() {
    link.send(.perform { [stream] driver in stream.value?.close(driver) })
  }

  func letGo() {
    stream.value = nil
  }
}
