namespace LoraServe.Templates.Values;

/// <summary>What <c>namespace()</c> makes: the one value whose attributes can be set.</summary>
internal sealed class NamespaceValue : IAttributes, IObject
{
    private readonly Dictionary<string, object?> _attributes = [];

    public string TypeName => "Namespace";

    public void Set(string name, object? value)
    {
        if (name.StartsWith('_'))
        {
            throw new EvaluationError(
                $"Chat templates cannot store underscore-prefixed attributes on a namespace, but got '{name}'. Please rename the attribute.");
        }

        _attributes[name] = value;
    }

    public bool TryGetAttribute(string name, out object? value) => _attributes.TryGetValue(name, out value);
}
