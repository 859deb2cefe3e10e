namespace LoraServe.Templates.Values;

/// <summary>A name, attribute or item that is not there: prints as nothing, and using it says why.</summary>
internal sealed class Undefined(string reason) : IObject
{
    public string TypeName => "Undefined";

    public string Repr => TypeName;

    public EvaluationError Error() => new(reason);
}
