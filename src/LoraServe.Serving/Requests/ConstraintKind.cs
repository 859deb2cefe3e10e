namespace LoraServe.Serving.Requests;

/// <summary>What a <see cref="Constraint"/> is given as.</summary>
public enum ConstraintKind
{
    /// <summary>A JSON schema.</summary>
    JsonSchema,

    /// <summary>Nothing: any JSON object.</summary>
    JsonObject,

    /// <summary>A regular expression.</summary>
    Regex,

    /// <summary>A grammar in llama.cpp's notation.</summary>
    Grammar,

    /// <summary>A list of texts.</summary>
    Choices,
}
