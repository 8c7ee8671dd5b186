"""Where the journal is kept: a bucket that only takes."""

import pytest

from agent.config.environment import ENVIRONMENTS
from tests.infra.synthesized import Synthesized

KEEPS = {"analyze_day"}


def test_the_bucket_is_private_encrypted_versioned_and_outlives_the_stack(
    template: Synthesized,
) -> None:
    (bucket,) = template.of_type("AWS::S3::Bucket")
    assert bucket.body["DeletionPolicy"] == "Retain"
    assert bucket.body["UpdateReplacePolicy"] == "Retain"
    assert set(bucket.properties["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket.properties["VersioningConfiguration"] == {"Status": "Enabled"}
    assert "BucketEncryption" in bucket.properties
    (policy,) = template.of_type("AWS::S3::BucketPolicy")
    (only_tls,) = policy.properties["PolicyDocument"]["Statement"]
    assert only_tls["Effect"] == "Deny"
    assert only_tls["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_who_keeps_the_journal_may_add_to_it_and_nobody_may_read_or_delete(
    template: Synthesized, name: str
) -> None:
    (bucket,) = template.of_type("AWS::S3::Bucket")
    role = template.role_of(template.functions()[name])
    about_buckets = {pair for pair in template.allowed(role) if pair[0].startswith("s3:")}
    own = {("s3:PutObject", f"{bucket.logical_id}.Arn/journal/*")} if name in KEEPS else set()
    assert about_buckets == own
