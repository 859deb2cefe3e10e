using LoraServe.Grammars.Rules;

namespace LoraServe.Grammars.Schemas;

/// <summary>Rules of JSON itself, made when they are first asked for. Each is one rule wherever it is used, so that what is found out about tokens in it is found out once.</summary>
/// <param name="rules">Where they go.</param>
/// <param name="spelling">How characters are written.</param>
internal sealed class JsonRules(RuleSet rules, JsonSpelling spelling)
{
    private Expression? _string;
    private Expression? _number;
    private Expression? _integer;
    private Expression? _value;
    private Expression? _object;
    private Expression? _array;

    /// <summary>How characters are written.</summary>
    public JsonSpelling Spelling => spelling;

    /// <summary>Nothing or one space: a model cannot write blanks for ever.</summary>
    public static Expression Space { get; } = Expression.Optional(Expression.Of(" "));

    public Expression AnyString => _string ??= Rule(
        "any string", Expression.Then(Expression.Of("\""), new Expression.Repeat(spelling.AnyCharacter, 0, null), Expression.Of("\"")));

    public Expression AnyNumber => _number ??= Rule("any number", NumberRange.AnyNumber);

    public Expression AnyInteger => _integer ??= Rule("any integer", NumberRange.Integers(null, null));

    public Expression AnyObject => _object ??= Recursive(
        "any object", self => _object = self, () => Braces("{", List(Expression.Then(AnyString, Expression.Of(":"), Space, AnyValue), 0, null), "}"));

    public Expression AnyArray => _array ??= Recursive("any array", self => _array = self, () => Braces("[", List(AnyValue, 0, null), "]"));

    public Expression AnyValue => _value ??= Recursive(
        "any value",
        self => _value = self,
        () => Expression.Either(AnyObject, AnyArray, AnyString, AnyNumber, Expression.Of("true"), Expression.Of("false"), Expression.Of("null")));

    /// <summary>A list of the same between commas.</summary>
    public static Expression List(Expression item, int least, int? most)
    {
        if (most == 0)
        {
            return Expression.Empty;
        }

        Expression some = Expression.Then(item, new Expression.Repeat(Next(item), Math.Max(least - 1, 0), most - 1));
        return least == 0 ? Expression.Optional(some) : some;
    }

    /// <summary>What comes after something else in a list.</summary>
    public static Expression Next(Expression item) => Expression.Then(Expression.Of(","), Space, item);

    public static Expression Braces(string open, Expression content, string close) =>
        Expression.Then(Expression.Of(open), Space, content, Space, Expression.Of(close));

    public Expression Rule(string name, Expression body) => new Expression.Reference(rules.Add(name, body));

    private Expression Recursive(string name, Action<Expression> keep, Func<Expression> body)
    {
        int rule = rules.Reserve(name);
        Expression self = new Expression.Reference(rule);
        keep(self);
        rules.Define(rule, body());
        return self;
    }
}
