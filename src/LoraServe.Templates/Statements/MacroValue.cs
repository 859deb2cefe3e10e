using LoraServe.Templates.Runtime;
using LoraServe.Templates.Text;
using LoraServe.Templates.Values;

namespace LoraServe.Templates.Statements;

/// <summary>A macro together with the scope that it was defined in.</summary>
internal sealed class MacroValue(MacroSyntax syntax, Scope definedIn) : ICallable, IAttributes, IObject
{
    public string TypeName => "Macro";

    public string Repr => $"<Macro {PythonText.Repr(Name)}>";

    private string Name => syntax.Name;

    public bool TryGetAttribute(string name, out object? value)
    {
        value = name switch
        {
            "name" => syntax.Name,
            "arguments" => new TupleValue([.. syntax.Parameters]),
            "catch_varargs" => syntax.UsesVarargs,
            "catch_kwargs" => syntax.UsesKwargs,
            "caller" => syntax.UsesCaller,
            _ => null,
        };
        return name is "name" or "arguments" or "catch_varargs" or "catch_kwargs" or "caller";
    }

    public object? Invoke(RenderState state, CallArguments arguments)
    {
        Scope scope = new(definedIn);
        Dictionary<string, object?> named = [];
        foreach ((string name, object? value) in arguments.Named)
        {
            if (!named.TryAdd(name, value))
            {
                throw new EvaluationError($"macro {PythonText.Repr(Name)} got multiple values for argument {PythonText.Repr(name)}");
            }
        }

        Scope outer = state.Scope;
        for (int i = 0; i < syntax.Parameters.Count; i++)
        {
            string parameter = syntax.Parameters[i];
            if (i < arguments.Positional.Count)
            {
                scope.Set(parameter, arguments.Positional[i]);
            }
            else if (named.Remove(parameter, out object? value))
            {
                scope.Set(parameter, value);
            }
            else if (syntax.Defaults[i] is { } byDefault)
            {
                state.Scope = scope;
                scope.Set(parameter, state.Evaluate(byDefault));
                state.Scope = outer;
            }
            else
            {
                scope.Set(parameter, new Undefined($"parameter {PythonText.Repr(parameter)} was not provided"));
            }
        }

        BindRest(state, scope, arguments, named);
        return state.CaptureCall(scope, syntax.Body);
    }

    private void BindRest(RenderState state, Scope scope, CallArguments arguments, Dictionary<string, object?> named)
    {
        if (syntax.UsesCaller && !syntax.Parameters.Contains("caller"))
        {
            scope.Set("caller", named.Remove("caller", out object? caller) ? caller : new Undefined("No caller defined"));
        }

        if (syntax.UsesKwargs)
        {
            DictValue rest = new();
            foreach ((string name, object? value) in named)
            {
                rest.Set(name, value);
            }

            scope.Set("kwargs", rest);
        }
        else if (named.Count > 0)
        {
            throw new EvaluationError($"macro {PythonText.Repr(Name)} takes no keyword argument {PythonText.Repr(named.Keys.First())}");
        }

        if (syntax.UsesVarargs)
        {
            scope.Set("varargs", new TupleValue(state.Counted(arguments.Positional.Skip(syntax.Parameters.Count))));
        }
        else if (arguments.Positional.Count > syntax.Parameters.Count)
        {
            throw new EvaluationError($"macro {PythonText.Repr(Name)} takes not more than {syntax.Parameters.Count} argument(s)");
        }
    }
}
