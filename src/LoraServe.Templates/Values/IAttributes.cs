namespace LoraServe.Templates.Values;

/// <summary>A value with attributes of its own.</summary>
internal interface IAttributes
{
    bool TryGetAttribute(string name, out object? value);
}
