namespace LoraServe.Templates.Tests.Parsing;

public sealed class RoleNamesTests
{
    [Theory]
    [InlineData("{% if message['role'] == 'user' %}{% elif message.role != \"model\" %}{% endif %}", "user model")]
    [InlineData("{% if 'ipython' == message['role'] %}{% endif %}", "ipython")]
    [InlineData("{% if message.role in ['tool', 'function'] or message.role in ('developer',) %}{% endif %}", "tool function developer")]
    [InlineData("{% set role = message['role'] %}{% if role == 'critic' and message['content'] %}{% endif %}", "critic")]
    [InlineData("{% set roles = {'user': 'Human', 'assistant': 'Bot'} %}", "user assistant")]
    [InlineData("{{ '<|' + message['role'] + '|>' + message.get('content', '') + message['content'] }}", "")]
    [InlineData("{% if content['type'] == 'image' %}{% endif %}it is role == 'text' here", "")]
    [InlineData("{% if message.role == 'No name' or message.role == '' %}{% endif %}", "")]
    public void Roles_OfATemplate_AreThoseItTellsApart(string source, string expected) =>
        Assert.Equal(expected, string.Join(' ', ChatTemplate.Parse(source, "test").Roles));
}
