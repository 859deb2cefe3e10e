using LoraServe.Templates.Runtime;
using LoraServe.Templates.Values;

namespace LoraServe.Templates.Python;

/// <summary>A method taken from its object, such as <c>text.strip</c>.</summary>
internal sealed class BoundMethod(object? subject, NativeFunction method) : ICallable, IObject
{
    public string TypeName => "builtin_function_or_method";

    public object? Invoke(RenderState state, CallArguments arguments)
    {
        arguments.Positional.Insert(0, subject is Markup markup ? markup.Text : subject);
        object? result = method.Invoke(state, arguments);
        return subject is Markup && result is string text ? new Markup(text) : result;
    }
}
