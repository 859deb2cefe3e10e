using LoraServe.Templates.Values;

namespace LoraServe.Templates.Runtime;

/// <summary>A function, filter, test or method that is built in.</summary>
/// <param name="name">What errors call it.</param>
/// <param name="signature">
/// Parameter names; those ending in <c>?</c> may be left out, <c>*rest</c> takes further positional values,
/// <c>**named</c> further named ones.
/// </param>
/// <param name="body">What it does.</param>
internal sealed class NativeFunction(string name, string signature, Func<RenderState, Arguments, object?> body) : ICallable
{
    private readonly string[] _parameters = signature.Split(' ', StringSplitOptions.RemoveEmptyEntries)
        .Where(parameter => !parameter.StartsWith('*')).ToArray();

    private readonly bool _takesRest = signature.Split(' ').Any(p => p.StartsWith('*') && !p.StartsWith("**", StringComparison.Ordinal));
    private readonly bool _takesNamed = signature.Contains("**", StringComparison.Ordinal);

    public object? Invoke(RenderState state, CallArguments arguments)
    {
        object?[] values = new object?[_parameters.Length];
        Array.Fill(values, Arguments.Absent);
        for (int i = 0; i < Math.Min(values.Length, arguments.Positional.Count); i++)
        {
            values[i] = arguments.Positional[i];
        }

        List<object?> rest = arguments.Positional.Skip(_parameters.Length).ToList();
        if (rest.Count > 0 && !_takesRest)
        {
            throw new EvaluationError($"{name}() takes at most {_parameters.Length} arguments ({arguments.Positional.Count} given)");
        }

        List<KeyValuePair<string, object?>> named = [];
        foreach (KeyValuePair<string, object?> argument in arguments.Named)
        {
            int index = Array.FindIndex(_parameters, parameter => parameter.TrimEnd('?') == argument.Key);
            if (index >= 0 && ReferenceEquals(values[index], Arguments.Absent))
            {
                values[index] = argument.Value;
            }
            else if (index >= 0)
            {
                throw new EvaluationError($"{name}() got multiple values for argument '{argument.Key}'");
            }
            else if (_takesNamed)
            {
                named.Add(argument);
            }
            else
            {
                throw new EvaluationError($"{name}() got an unexpected keyword argument '{argument.Key}'");
            }
        }

        for (int i = 0; i < values.Length; i++)
        {
            if (ReferenceEquals(values[i], Arguments.Absent) && !_parameters[i].EndsWith('?'))
            {
                throw new EvaluationError($"{name}() missing 1 required positional argument: '{_parameters[i]}'");
            }
        }

        return body(state, new Arguments(name, values, rest, named));
    }
}
