namespace LoraServe.Templates.Tests;

/// <summary>Templates come with models and are not trusted: each of these ends in an error, soon.</summary>
public sealed class TemplateLimitTests
{
    [Theory]
    [InlineData("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}")]
    [InlineData("{% macro f(x) %}{% for i in [1] %}{% if true %}{{ [f(x)]|map('upper')|list }}{% endif %}{% endfor %}{% endmacro %}{{ f(1) }}")]
    [InlineData("{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}")]
    [InlineData("{% block b %}{{ self.b() }}{% endblock %}")]
    [InlineData("{% for i in range(10**9) %}{% endfor %}")]
    [InlineData("{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}")]
    [InlineData("{% for i in range(100000) %}{{ 'x' * 100000 }}{% endfor %}")]
    [InlineData("{{ 'x' * 10**12 }}")]
    [InlineData("{{ [0] * 10**12 }}")]
    [InlineData("{{ [] * 10**12 }}{{ '' * 10**12 }}{{ 2 ** (10**12) }}")]
    [InlineData("{{ 9 ** (9 ** 9) }}")]
    [InlineData("{% set ns = namespace(x='ab') %}{% for i in range(60) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}")]
    [InlineData("{% set ns = namespace(x=7) %}{% for i in range(100) %}{% set ns.x = ns.x * ns.x %}{% endfor %}")]
    [InlineData("{% set ns = namespace(x=(1,)) %}{% for i in range(60) %}{% set ns.x = (ns.x, ns.x) %}{% endfor %}{{ {ns.x: 1} }}")]
    [InlineData("{% set ns = namespace(x=[]) %}{% for i in range(9999) %}{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x }}")]
    [InlineData("{{ '%2000000000d' % 1 }}")]
    [InlineData("{{ '{:2000000000}'.format('x') }}")]
    [InlineData("{{ '{:.2000000000f}'.format(1.0) }}")]
    [InlineData("{{ 'x'.center(2000000000) }}")]
    [InlineData("{{ 'x'|center(2000000000) }}")]
    [InlineData("{{ 'x\ny'|indent(2000000000) }}")]
    [InlineData("{{ 'x'.zfill(2000000000) }}")]
    [InlineData("{{ '\t'.expandtabs(2000000000) }}")]
    [InlineData("{{ [1]|batch(2000000000, 'x')|list }}")]
    [InlineData("{{ [1]|slice(2000000000)|list }}")]
    [InlineData("{{ 'x'.replace('', 'y' * 9999999) * 99 }}")]
    [InlineData("{{ [1, 'a']|sort }}")]
    [InlineData("{{ [{'a': 1}, {'b': 1}, {'a': 2}]|sort(attribute='a') }}")]
    [InlineData("{% for i in range(99) %}{{ range(100000)|sort|first }}{% endfor %}")]
    [InlineData("{{ raise_exception }}{{ l.append(1) }}")]
    public void Render_HostileTemplate_FailsWithTemplateException(string source)
    {
        TemplateException error = Assert.Throws<TemplateException>(
            () => ChatTemplate.Parse(source, "hostile").Render(new Dictionary<string, object?> { ["l"] = new[] { 1 } }));
        Assert.False(error.RaisedByTemplate);
        Assert.Contains("hostile, line ", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("(", ")")]
    [InlineData("[", "]")]
    [InlineData("not ", "")]
    [InlineData("-", "")]
    [InlineData("1 if ", "")]
    [InlineData("{1:", "}")]
    [InlineData("f(", ")")]
    [InlineData("a[", "]")]
    [InlineData("1 + ", "")]
    [InlineData("a and ", "")]
    [InlineData("1 if 1 else ", "")]
    public void Parse_DeepNesting_FailsOrRendersWithoutOverflow(string open, string close)
    {
        string expression = string.Concat(Enumerable.Repeat(open, 50_000)) + "1" + string.Concat(Enumerable.Repeat(close, 50_000));
        Survives("{{ " + expression + " }}");
    }

    [Theory]
    [InlineData("{% if 1 %}")]
    [InlineData("{% for i in [1] %}")]
    [InlineData("{% macro f() %}")]
    [InlineData("{% set x %}")]
    [InlineData("{{ x|f|")]
    [InlineData("{{ x.y[0]")]
    [InlineData("{% if 1 %}{% elif")]
    public void Parse_DeepStatements_FailsWithoutOverflow(string open) => Survives(string.Concat(Enumerable.Repeat(open, 50_000)));

    [Fact]
    public void Evaluate_LongChains_FailOrRenderWithoutOverflow()
    {
        Survives("{{ 1" + string.Concat(Enumerable.Repeat(" + 1", 100_000)) + " }}");
        Survives("{{ 'x'" + string.Concat(Enumerable.Repeat("|upper", 100_000)) + " }}");
        Survives("{{ x" + string.Concat(Enumerable.Repeat(".x", 100_000)) + " }}");
        Survives("{{ 1" + string.Concat(Enumerable.Repeat(" if 1", 100_000)) + " }}");
    }

    private static void Survives(string source)
    {
        try
        {
            ChatTemplate.Parse(source, "deep").Render(new Dictionary<string, object?>());
        }
        catch (TemplateException error)
        {
            Assert.NotEmpty(error.Message);
        }
    }
}
