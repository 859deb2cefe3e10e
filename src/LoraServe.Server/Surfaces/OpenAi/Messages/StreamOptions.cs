namespace LoraServe.Server.Surfaces.OpenAi.Messages;

/// <summary>What a stream has beside the answer.</summary>
/// <param name="IncludeUsage">Whether it ends with what it cost.</param>
/// <param name="IncludeObfuscation">Taken and not used: events are not padded.</param>
internal sealed record StreamOptions(bool? IncludeUsage, bool? IncludeObfuscation);
