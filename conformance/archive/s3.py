"""An S3 server for tests: moto, with a bucket and a user whose signatures are checked by botocore. Prints where it is as one line of
JSON and ends with its standard input, so that it never outlives the test that started it."""

import json
import logging
import sys

import boto3
from moto import settings
from moto.server import ThreadedMotoServer

BUCKET = "plant-archive"
POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}

logging.getLogger("werkzeug").setLevel(logging.ERROR)
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()
endpoint = f"http://{host}:{port}"
anyone = {"endpoint_url": endpoint, "region_name": "eu-central-1", "aws_access_key_id": "a", "aws_secret_access_key": "b"}

iam = boto3.client("iam", **anyone)
iam.create_user(UserName="hissrv")
iam.put_user_policy(UserName="hissrv", PolicyName="all", PolicyDocument=json.dumps(POLICY))
key = iam.create_access_key(UserName="hissrv")["AccessKey"]
boto3.client("s3", **anyone).create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
# From now on nobody gets in without a right signature.
settings.INITIAL_NO_AUTH_ACTION_COUNT = 0

print(json.dumps({"endpoint": endpoint, "bucket": BUCKET, "access_key": key["AccessKeyId"], "secret_key": key["SecretAccessKey"]}))
sys.stdout.flush()
sys.stdin.read()
server.stop()
