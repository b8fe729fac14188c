package import RaftTransport

/// What a simulation is like.
package struct SimulationOptions: Sendable {
  /// Everything follows from it.
  package var seed: UInt64
  /// Things that are done: calls, faults, restarts.
  package var steps: Int
  /// How many servers there are, 2 to 7; `nil` for 2 to 5 as the seed says.
  package var servers: Int?
  /// A fault that is built into every server; of debug builds only.
  package var plantedFault: PlantedFault?

  package init(seed: UInt64, steps: Int = 60, servers: Int? = nil, plantedFault: PlantedFault? = nil) {
    self.seed = seed
    self.steps = steps
    self.servers = servers
    self.plantedFault = plantedFault
  }
}

/// How a simulation went.
package struct SimulationReport: Sendable {
  /// Something that must not be.
  package struct Problem: Sendable, CustomStringConvertible {
    /// The step after which it was found; beyond the last one in the epilogue.
    package let step: Int
    /// The virtual time, in seconds.
    package let seconds: Double
    package let text: String

    package var description: String { "step \(step), \(seconds) s: \(text)" }
  }

  package var problems: [Problem] = []
  package var servers = 0
  package var calls = 0
  package var answered = 0
  package var events: UInt64 = 0
  package var virtualSeconds = 0.0
  /// Equal for equal runs.
  package var digest: UInt64 = 0
}
