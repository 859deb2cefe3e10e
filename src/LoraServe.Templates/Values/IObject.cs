namespace LoraServe.Templates.Values;

/// <summary>A value of the language's own: it says itself what messages call it and how it prints.</summary>
internal interface IObject
{
    /// <summary>What Python calls its type.</summary>
    string TypeName { get; }

    /// <summary>How it stands in messages and in texts.</summary>
    string Repr => $"<{TypeName} object>";
}
