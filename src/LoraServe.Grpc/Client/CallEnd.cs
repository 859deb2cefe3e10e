using Grpc.Core;

namespace LoraServe.Grpc.Client;

/// <summary>How a call ended, as its server said or as happened here.</summary>
internal sealed record CallEnd(Status Status, Metadata Trailers);
