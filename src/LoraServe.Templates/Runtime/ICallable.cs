namespace LoraServe.Templates.Runtime;

/// <summary>A value that can be called.</summary>
internal interface ICallable
{
    object? Invoke(RenderState state, CallArguments arguments);
}
