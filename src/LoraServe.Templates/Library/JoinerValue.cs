using LoraServe.Templates.Runtime;
using LoraServe.Templates.Values;

namespace LoraServe.Templates.Library;

/// <summary>What <c>joiner(…)</c> makes: nothing at its first call, the separator from then on.</summary>
internal sealed class JoinerValue(string separator) : ICallable, IObject
{
    private bool _used;

    public string TypeName => "Joiner";

    public object? Invoke(RenderState state, CallArguments arguments)
    {
        string text = _used ? separator : "";
        _used = true;
        return text;
    }
}
