using System.Text.Json.Serialization;

namespace LoraServe.Jobs.Rows;

/// <summary>Rows that came by upload.</summary>
/// <param name="Id">How jobs name them.</param>
/// <param name="Owner">Who sent them.</param>
/// <param name="FileName">What their sender calls them.</param>
/// <param name="Bytes">Their size.</param>
/// <param name="Rows">Lines that are not empty.</param>
/// <param name="At">When they came.</param>
internal sealed record StoredData(string Id, string Owner, string FileName, long Bytes, long Rows, DateTimeOffset At);

[JsonSerializable(typeof(StoredData))]
internal sealed partial class StoredDataJson : JsonSerializerContext;
