namespace LoraServe.Server.Surfaces.OpenAi.Messages;

/// <summary>A failure.</summary>
internal sealed record ErrorAnswer(ErrorFields Error);

/// <summary>What failed.</summary>
internal sealed record ErrorFields(string Message, string Type, string? Param, string? Code);
