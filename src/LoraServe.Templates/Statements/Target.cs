using LoraServe.Templates.Runtime;

namespace LoraServe.Templates.Statements;

/// <summary>What stands left of an assignment or between for and in.</summary>
internal abstract record Target(int Line)
{
    public abstract void Assign(RenderState state, object? value);
}
