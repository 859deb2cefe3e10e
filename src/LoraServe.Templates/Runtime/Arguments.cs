using System.Numerics;
using LoraServe.Templates.Values;

namespace LoraServe.Templates.Runtime;

/// <summary>Arguments bound to the parameters of a built-in function, with the conversions that most of them need.</summary>
internal sealed class Arguments(string function, object?[] values, List<object?> rest, List<KeyValuePair<string, object?>> named)
{
    /// <summary>Stands for an argument that was not given.</summary>
    public static readonly object Absent = new();

    public List<object?> Rest => rest;

    public List<KeyValuePair<string, object?>> Named => named;

    public object? this[int index] => Has(index) ? values[index] : null;

    public bool Has(int index) => !ReferenceEquals(values[index], Absent);

    public bool IsTrue(int index, bool byDefault = false) => Has(index) ? Truth.Of(values[index]) : byDefault;

    /// <summary>A string argument; an undefined value counts as empty.</summary>
    public string Text(int index) => Markup.TextOf(values[index]) ?? (values[index] is Undefined
        ? ""
        : throw new EvaluationError($"{function}() argument must be str, not {TypeName.Of(values[index])}"));

    /// <summary>A string argument, null when it is not given or None.</summary>
    public string? OptionalText(int index) => this[index] is null ? null : Text(index);

    /// <summary>An int argument, cut to the range of int.</summary>
    public int Integer(int index, int byDefault)
    {
        if (this[index] is null)
        {
            return byDefault;
        }

        return Numbers.TryInteger(values[index], out BigInteger number)
            ? (int)BigInteger.Max(int.MinValue, BigInteger.Min(number, int.MaxValue))
            : throw new EvaluationError($"{function}(): '{TypeName.Of(values[index])}' object cannot be interpreted as an integer");
    }
}
