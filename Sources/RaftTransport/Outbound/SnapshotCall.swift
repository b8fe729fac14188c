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
  let environment: TransportEnvironment
  let clock: SnapshotClock

  /// Chunks that are compressed at once: as many as there are processors, within bounds that keep the memory small.
  private var compressors: Int { min(max(environment.processors, 2), 8) }

  func run(
    _ request: InstallSnapshotRequest, _ source: SnapshotSource
  ) async throws -> InstallSnapshotResponse {
    let bytes = try encoder.encoded(request)
    let isChunked = compression.choice != .never
    let opening = StreamOpening(
      trafficClass: .snapshot, encoding: isChunked ? .chunked : .plain, group: group)
    let handle = LoopHandle<SnapshotStream>(eventLoop: link.eventLoop)
    let pace = UploadPace(known: link.compressionMemory.linkRate)
    let upload = SnapshotUpload(
      size: max(request.size, 0), link: link, stream: handle, pace: pace)
    // Bytes at hand need no task that reads them: the stream takes slices of them whenever it has room.
    let memory = isChunked ? nil : source.memory(ofExactly: upload.size)
    let isOpening = link.send(
      .perform { [clock, limits] driver in
        let stream = SnapshotStream(upload: upload, pace: pace, clock: clock, limits: limits)
        handle.value = stream
        stream.open(opening, request: bytes, driver)
        if let memory { stream.send(memory, driver) }
      })
    if !isOpening { throw TransportError.connectionGone(peer) }

    // The source is read beside the wait for the answer, which may come early. It may be one that hangs and knows
    // nothing of cancellation, so that it is not waited for without end.
    let reading = memory == nil ? SourceReading { await send(source, upload, isChunked: isChunked) } : nil
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
    await reading?.end(on: link.eventLoop)
    return try result.get()
  }

  private func send(_ source: SnapshotSource, _ upload: SnapshotUpload, isChunked: Bool) async {
    if isChunked { await sendChunked(source, upload) } else { await sendPlain(source, upload) }
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
      source, size: UInt64(upload.size), mode: compression, parallelism: compressors,
      threadPool: environment.workers,
      known: link.compressionMemory.compressor, link: { upload.linkRate },
      seconds: { [link] in link.eventLoop.now.seconds })
    defer { link.compressionMemory.keep(compressor.adaptive, upload.linkRate) }
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

extension SnapshotSource {
  /// The bytes, if all of them are at hand and as many as they should be.
  fileprivate func memory(ofExactly size: Int64) -> [ByteBuffer]? {
    guard let memory, memory.reduce(0, { $0 + Int64($1.readableBytes) }) == size else { return nil }
    return memory
  }
}

extension TransportError {
  /// The source of a snapshot did not give what was announced.
  static func snapshotSource(_ error: any Error) -> TransportError {
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
