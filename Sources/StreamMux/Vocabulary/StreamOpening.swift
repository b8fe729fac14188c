/// What the frame that opens a stream fixes for the stream's whole life.
package struct StreamOpening: Hashable, Sendable {
  package let trafficClass: TrafficClass
  package let encoding: StreamEncoding
  /// The Raft group, 0 unless the process hosts several.
  package let group: UInt64

  package init(trafficClass: TrafficClass, encoding: StreamEncoding = .plain, group: UInt64 = 0) {
    self.trafficClass = trafficClass
    self.encoding = encoding
    self.group = group
  }
}
