namespace LoraServe.Templates.Runtime;

/// <summary>An expression of the language; it evaluates itself.</summary>
internal abstract record Expression(int Line)
{
    public abstract object? Evaluate(RenderState state);
}
