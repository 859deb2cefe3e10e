using LoraServe.Templates.Runtime;
using LoraServe.Templates.Values;

namespace LoraServe.Templates.Library;

/// <summary>What <c>cycler(…)</c> makes.</summary>
internal sealed class CyclerValue(IReadOnlyList<object?> items) : IAttributes, IObject
{
    private int _index;

    public string TypeName => "Cycler";

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
