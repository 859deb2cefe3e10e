namespace LoraServe.Templates.Runtime;

/// <summary>A statement of the language; it executes itself, writing to the state's output.</summary>
internal abstract record Statement(int Line)
{
    public abstract Completion Execute(RenderState state);
}
