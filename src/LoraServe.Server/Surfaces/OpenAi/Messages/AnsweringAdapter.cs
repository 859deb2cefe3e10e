using System.Text.Json.Serialization;

namespace LoraServe.Server.Surfaces.OpenAi.Messages;

/// <summary>The exact adapter that answered; beyond what OpenAI has.</summary>
internal sealed record AnsweringAdapter(string Name, int Version, string Digest, float Weight, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] int? Task);
