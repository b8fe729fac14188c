import NIOCore
import RaftWire
import StreamMux

/// Sends one snapshot and waits for its answer.
struct SnapshotCall {
  let link: Link
  let peer: ServerID
  let group: UInt64
  let encoder: WireEncoder
  let limits: MessageLimits
  let compression: CompressionMode
  let clock: SnapshotClock

  func run(
    _ request: InstallSnapshotRequest, _ source: SnapshotSource
  ) async throws -> InstallSnapshotResponse {
    let bytes = try encoder.encoded(request)
    let isChunked = compression.choice != .never
    let opening = StreamOpening(
      trafficClass: .snapshot, encoding: isChunked ? .chunked : .plain, group: group)
    let handle = LoopHandle<SnapshotStream>(eventLoop: link.eventLoop)
    let upload = SnapshotUpload(size: max(request.size, 0), link: link, stream: handle)
    let isOpening = link.send(
      .perform { [clock, limits] driver in
        let stream = SnapshotStream(upload: upload, clock: clock, limits: limits)
        handle.value = stream
        stream.open(opening, request: bytes, driver)
      })
    if !isOpening { throw TransportError.connectionGone(peer) }

    // The source is read beside the wait for the answer, which may come early; leaving the scope ends the reading.
    async let _ = isChunked ? sendChunked(source, upload) : sendPlain(source, upload)
    let result: Result<InstallSnapshotResponse, any Error>
    do {
      result = .success(
        try await upload.result.value { [link] in
          link.send(.perform { driver in handle.value?.cancel(driver) })
        })
    } catch {
      result = .failure(error)
    }
    upload.end()
    return try result.get()
  }

  private func sendPlain(_ source: SnapshotSource, _ upload: SnapshotUpload) async {
    var exact = ExactSizeSource(source, size: UInt64(upload.size))
    do {
      while let piece = try await exact.next() {
        upload.advance(plainBytes: Int64(exact.delivered))
        guard await upload.write(piece) else { return }
      }
      upload.finish()
    } catch {
      upload.fail(.snapshotSource(error))
    }
  }

  private func sendChunked(_ source: SnapshotSource, _ upload: SnapshotUpload) async {
    let compressor = SnapshotCompressor(
      source, size: UInt64(upload.size), mode: compression, linkRate: { upload.linkRate })
    do {
      while let piece = try await compressor.next() {
        upload.advance(plainBytes: Int64(clamping: compressor.figures.rawBytes))
        guard await upload.write(piece) else { return await compressor.cancel() }
      }
      upload.finish()
    } catch {
      upload.fail(.snapshotSource(error))
    }
  }
}

extension TransportError {
  /// The source of a snapshot did not give what was announced.
  fileprivate static func snapshotSource(_ error: any Error) -> TransportError {
    if error is CancellationError { return TransportError(.cancelled, "", delivery: .unknown) }
    guard let sourceError = error as? SnapshotSourceError else {
      return TransportError(.snapshotSource, "", delivery: .unknown, underlying: error)
    }
    if case .sourceFailed(let underlying) = sourceError {
      return TransportError(
        .snapshotSource, "the source threw an error", delivery: .unknown, underlying: underlying)
    }
    return TransportError(.snapshotSource, sourceError.description, delivery: .unknown)
  }
}
