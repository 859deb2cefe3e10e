namespace LoraServe.Tokenization.Templates;

/// <summary>What <c>cycler(…)</c> makes.</summary>
internal sealed class CyclerValue(IReadOnlyList<object?> items) : IAttributes
{
    private int _index;

    public bool TryGetAttribute(string name, out object? value)
    {
        value = name switch
        {
            "current" => items[_index],
            "next" => new NativeFunction(name, "", (_, _) => Next()),
            "reset" => new NativeFunction(name, "", (_, _) => Reset()),
            _ => null,
        };
        return name is "current" or "next" or "reset";
    }

    private object? Next()
    {
        object? item = items[_index];
        _index = (_index + 1) % items.Count;
        return item;
    }

    private object? Reset()
    {
        _index = 0;
        return null;
    }
}

/// <summary>What <c>joiner(…)</c> makes: nothing at its first call, the separator from then on.</summary>
internal sealed class JoinerValue(string separator) : ICallable
{
    private bool _used;

    public object? Invoke(RenderState state, CallArguments arguments)
    {
        string text = _used ? separator : "";
        _used = true;
        return text;
    }
}
